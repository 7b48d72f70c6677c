import { type Check, doctor as machineChecks } from '../dev/doctor.ts'
import { alive } from '../dev/process.ts'
import { readDevRecord } from './dev/record.ts'
import { databaseCheck, galaxyCheck, gitCheck, secretKeyCheck } from './doctor/here.ts'
import { kubernetesChecks } from './doctor/kubernetes.ts'
import { temporalChecks } from './doctor/temporal.ts'
import { readSettings } from './settings.ts'

/** `mayfly doctor`: a line per check, with the remedy where something is missing. Exit code 1 when anything is. */
export async function doctor(): Promise<void> {
  const places = placesInUse(process.env)
  if (places.note) console.log(places.note)
  const settings = readSettings(places.env)
  const checks: Check[] = [
    ...(await machineChecks(process.env)),
    ...(
      await Promise.all([
        databaseCheck(settings, places.embeddedDatabaseInUse),
        temporalChecks(places.env),
        kubernetesChecks(settings, places.env),
        secretKeyCheck(process.env, places.embeddedDatabaseInUse),
        gitCheck(),
        galaxyCheck(settings, process.env),
      ])
    ).flat(),
  ]
  for (const { name, ok, detail, remedy } of checks) {
    console.log(
      `${ok ? 'ok     ' : 'MISSING'} ${name.padEnd(20)} ${detail}${ok || !remedy ? '' : `\n${' '.repeat(29)}→ ${remedy}`}`,
    )
  }
  const missing = checks.filter(({ ok }) => !ok).length
  console.log(missing === 0 ? 'Nothing is missing.' : `${missing} of ${checks.length} checks found something missing.`)
  process.exitCode = missing === 0 ? 0 : 1
}

/** The environment that the processes would have: a running `mayfly dev` fills in what is not set. */
function placesInUse(env: NodeJS.ProcessEnv) {
  const running = readDevRecord('dev')
  if (!running?.places || !alive(running.identity)) return { env, embeddedDatabaseInUse: false, note: undefined }
  const { temporalAddress, temporalNamespace, kubeconfigPath, kubeContext, image, dataFolder } = running.places
  const found = {
    TEMPORAL_ADDRESS: temporalAddress,
    TEMPORAL_NAMESPACE: temporalNamespace,
    MAYFLY_KUBECONFIG: kubeconfigPath,
    MAYFLY_KUBE_CONTEXT: kubeContext,
    MAYFLY_EE_IMAGE: image,
    MAYFLY_DATA: dataFolder,
  }
  const note = `mayfly dev runs (process ${running.identity.pid}): what the environment does not name is looked at there.`
  return { env: { ...found, ...env }, embeddedDatabaseInUse: !env.MAYFLY_DATABASE_URL, note }
}
