import type { ContainerSpec } from '../../model/container.ts'
import { renderTemplate } from '../../model/jinja/render.ts'
import { restoreSecretAnswers } from '../../model/launch.ts'
import { storedVariables } from '../../model/variables.ts'
import { ContainerReader } from '../../runner/container/reader.ts'
import { containerScript, credentialFolder, recordMarker } from '../../runner/container/script.ts'
import { applyCredentials } from '../../runner/credential-effects.ts'
import { secretsOf } from '../../runner/credentials.ts'
import type { RunDocument } from '../../store/run-document.ts'
import { launchPasswords, resolve } from '../credentials.ts'
import type { ActivityDeps } from '../deps.ts'
import { metaVarsOf, type PreparedRun } from './run-parts.ts'

/** A text of the job's command, environment or files holds an expression that cannot be worked out. */
export class ContainerTextError extends Error {
  override name = 'ContainerTextError'
}

/** Gathers what a container job is made of. */
export async function prepareContainerRun(
  deps: ActivityDeps,
  document: RunDocument,
  spec: ContainerSpec,
): Promise<PreparedRun> {
  const { job } = document
  const credentials = document.credentials.map((credential) => resolve(deps, credential))
  const passwords = launchPasswords(deps, document)
  const variables = restoreSecretAnswers(storedVariables(job.extraVars), passwords)
  const marker = recordMarker(deps.settings.installUuid, job.id, job.attemptCount)
  return {
    async payload() {
      const effects = applyCredentials(credentials, passwords, credentialFolder)
      const script = Buffer.from(
        containerScript({
          jobId: job.id,
          spec: rendered(spec, { ...metaVarsOf(document), ...variables }),
          variables,
          credentials: effects,
          timeoutSeconds: Math.max(job.timeout, 0),
          marker,
        }),
      )
      return {
        size: script.length,
        async *stream() {
          yield script
        },
        secrets: effects.secrets,
      }
    },
    reader: (from) => new ContainerReader({ ...from, marker }),
    facts: null,
    hostIds: new Map(),
    secrets: [...credentials.flatMap(secretsOf), ...Object.values(passwords).filter((password) => password !== '')],
  }
}

function rendered(spec: ContainerSpec, variables: Record<string, unknown>): ContainerSpec {
  const text = (place: string, value: string) => {
    if (!/\{[{%#]/.test(value)) return value
    try {
      return renderTemplate(value, variables, { strict: true })
    } catch (error) {
      throw new ContainerTextError(`The container's ${place} cannot be worked out: ${(error as Error).message}.`)
    }
  }
  const texts = (place: string, values: Record<string, string>) =>
    Object.fromEntries(Object.entries(values).map(([key, value]) => [key, text(`${place} ${key}`, value)]))
  return {
    ...spec,
    command: spec.command.map((word, index) => text(`command word ${index + 1}`, word)),
    env: texts('env', spec.env),
    files: texts('file', spec.files),
  }
}
