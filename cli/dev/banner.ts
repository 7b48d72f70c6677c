import { existsSync } from 'node:fs'
import { devFiles, type Places } from './record.ts'

/** Where everything is, for people. `password` is shown when it was just made. */
export function bannerOf(name: string, places: Places, password: string | undefined): string {
  const { adminPassword } = devFiles(name)
  const stored = existsSync(adminPassword)
    ? `password in ${adminPassword}`
    : 'password as given in MAYFLY_ADMIN_PASSWORD'
  const context = places.kubeContext ? `, context ${places.kubeContext}` : ''
  const down = name === 'dev' ? 'npm run dev -- --down' : `npm run dev -- --down --name ${name}`
  const lines: [string, string][] = [
    ['API', `${places.url}/api/v2/`],
    ['documentation', `${places.url}/api/v2/docs/`],
    ['user', `admin, ${password === undefined ? stored : `password ${password} (kept in ${adminPassword})`}`],
    ['Temporal', `${places.temporalAddress}, namespace ${places.temporalNamespace}`],
    ...(places.temporalUiUrl
      ? ([['Temporal UI', `${places.temporalUiUrl}/namespaces/${places.temporalNamespace}/workflows`]] as [
          string,
          string,
        ][])
      : []),
    [
      'Kubernetes',
      `KUBECONFIG=${places.kubeconfigPath ?? ''}${context}, pods in namespace ${places.kubernetesNamespace}`,
    ],
    ['image', places.image],
    ['data, logs', `${places.dataFolder}, ${places.logsFolder}`],
    ['stop', `${down}  (Ctrl-C stops Mayfly alone; the cluster and Temporal keep running)`],
  ]
  return ['', ...lines.map(([what, where]) => `  ${what.padEnd(14)} ${where}`), ''].join('\n')
}
