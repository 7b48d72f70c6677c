/** Vitest's global set-up of the end-to-end tests: one stack of `dev/` for all test files. */
import type { TestProject } from 'vitest/node'
import { controlPlaneAnsible } from '../../dev/ansible.ts'
import { type StackOptions, stackStatus, startStack, stopStack } from '../../dev/stack.ts'
import { migratedDatabase } from './migrated-database.ts'

/** Addresses of the stack; what is only there on a cluster of our own is undefined elsewhere. */
export interface TestStack {
  stackName: string
  kubeconfigPath: string
  kubeContext: string | undefined
  /** Execution environment image that the cluster has. */
  image: string
  temporalAddress: string
  /** Superuser's address of a database that nobody uses; tests make their own beside it. */
  postgresUrl: string
  /** A database on that server with this release's schema, to be copied. */
  migratedDatabase: string
  /** The API server's audit log, one JSON document a line. */
  auditLogPath: string | undefined
  /** ansible-galaxy for the control plane: words of its command line, and environment that it needs. */
  ansibleGalaxy: { command: string[]; env: Record<string, string> }
}

declare module 'vitest' {
  /** What `inject` gives to tests. */
  export interface ProvidedContext {
    stack: TestStack
  }
}

const want: StackOptions['want'] = { kubernetes: true, temporal: true, image: true, postgres: true }

/** Starts what of the stack does not run yet. It keeps running for the next run, except in CI, where what was started here is stopped. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const name = process.env.MAYFLY_TEST_STACK || 'test'
  const begin = performance.now()
  const progress = (line: string): void =>
    console.error(`stack ${name} ${((performance.now() - begin) / 1000).toFixed(1).padStart(6)} s  ${line}`)
  const ran = (await stackStatus(name)).parts.some((part) => part.alive)
  const [addresses, ansible] = await Promise.all([startStack({ name, want, progress }), controlPlaneAnsible(progress)])
  const { temporalAddress, kubeconfigPath, kubeContext, image, postgresUrl, auditLogPath } = addresses
  if (!temporalAddress || !kubeconfigPath || !image || !postgresUrl) {
    throw new Error('the end-to-end tests need Temporal, a cluster, an image in MAYFLY_EE_IMAGE for it, and PostgreSQL')
  }
  project.provide('stack', {
    stackName: name,
    kubeconfigPath,
    kubeContext,
    image,
    temporalAddress,
    postgresUrl,
    migratedDatabase: await migratedDatabase(postgresUrl),
    auditLogPath,
    ansibleGalaxy: { command: ansible.galaxy, env: ansible.env },
  })
  return async () => {
    if (process.env.CI === 'true' && !ran) await stopStack(name)
  }
}
