import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { stackPaths } from '../../dev/paths.ts'
import { alive } from '../../dev/process.ts'
import { openCluster } from '../../kubernetes/cluster.ts'
import { adminPassword, type Places, readDevRecord } from '../dev/record.ts'
import { startDetached } from '../dev/start.ts'
import { CommandError } from '../errors.ts'
import type { DemoOptions } from '../program.ts'
import { endOfProcess } from '../signals.ts'
import { ApiClient } from './client.ts'
import { type DemoHost, DemoHosts } from './hosts.ts'
import { type JobRun, runJob, type Stage } from './job.ts'
import { hostNames, makeObjects } from './objects.ts'
import { makeRepositories } from './repositories.ts'
import { demoKey } from './ssh-key.ts'
import { tableOf } from './table.ts'

const colours = process.stdout.isTTY && !process.env.NO_COLOR
const bold = (text: string) => (colours ? `\u001b[1m${text}\u001b[0m` : text)
const heading = (text: string) => console.log(`\n${bold(text)}`)
const say = (line: string) => console.log(`  ${line}`)
const show = (text: string) => console.log((colours ? text : stripVTControlCharacters(text)).replaceAll('\r\n', '\n'))

/** `mayfly demo`: a real project on real hosts, twice, all over HTTP. Throws when anything is not as it should be. */
export async function demo({ name, keep = false }: DemoOptions): Promise<void> {
  heading('Mayfly on this machine')
  const places = await runningDev(name)
  const password = adminPassword(name, process.env)
  if (!password) throw new CommandError("the admin's password is not known", 'set MAYFLY_ADMIN_PASSWORD')
  say(`API ${places.url}, Temporal ${places.temporalAddress}, image ${places.image}`)
  const { signal } = endOfProcess()
  const cluster = openCluster({ kind: 'kubeconfig', path: places.kubeconfigPath, context: places.kubeContext })
  const hosts = new DemoHosts(cluster, places.kubernetesNamespace, places.image)
  const folder = join(stackPaths(name).state, 'demo')
  try {
    heading('Git repositories and hosts')
    const { site, role } = await makeRepositories(folder)
    say(`project ${site}\n  role    ${role}`)
    const key = demoKey(join(folder, 'ssh-key.pem'))
    const running = await hosts.start(hostNames(), key.authorizedKey)
    for (const { name, address, pod } of running) say(`host ${name} takes ssh logins at ${address} (pod ${pod})`)

    heading('Objects, by the API')
    const client = new ApiClient(places.url, 'admin', password, signal)
    const ingredients = { client, repository: site, privateKey: key.privateKey, hosts: running, say }
    const template = await makeObjects(ingredients)

    const stage = { client, cluster, namespace: places.kubernetesNamespace, show }
    const runs = [await run(stage, template, 'First run'), await run(stage, template, 'Second run: nothing may change')]

    heading('What the play did on the hosts')
    for (const host of running) await showHost(hosts, host)
    heading('Result')
    console.log(tableOf(runs))
    conclude(runs)
    lookFurther(places, runs, name)
  } finally {
    if (keep) say('The hosts keep running (--keep).')
    else await hosts.remove()
    cluster.close()
  }
}

/** Where the running `mayfly dev` is; starts one in the background if there is none. */
async function runningDev(name: string): Promise<Places> {
  const running = readDevRecord(name)
  if (running?.places && alive(running.identity)) return running.places
  const [places, newPassword] = await startDetached(name)
  if (newPassword) say(`password of admin: ${newPassword}`)
  return places
}

async function run(stage: Stage, template: number, title: string): Promise<JobRun> {
  heading(title)
  return await runJob(stage, template)
}

async function showHost(hosts: DemoHosts, host: DemoHost): Promise<void> {
  const command = 'cat /etc/motd; id deploy; for f in /etc/*/app.conf; do echo "$f:"; sed \'s/^/    /\' "$f"; done'
  const output = await hosts.run(host, command)
  console.log(`  ${bold(host.name)}\n${output.trimEnd().replace(/^/gm, '    ')}`)
}

/** Everything that must hold; throws CommandError with what does not. */
function conclude(runs: JobRun[]): void {
  const [first, second] = runs
  const complaints = runs.flatMap(({ id, status, explanation, podsLeft }) => [
    ...(status === 'successful' ? [] : [`job ${id} is ${status}: ${explanation}`]),
    ...(podsLeft === 0 ? [] : [`job ${id} left ${podsLeft} pods`]),
  ])
  if (first?.artifacts.configured_hosts === undefined)
    complaints.push("the play's set_stats did not arrive as artifacts")
  if (second && second.changed !== 0) complaints.push(`the second run changed ${second.changed} things`)
  if (complaints.length > 0) throw new CommandError(complaints.join('\n'))
  say('Both runs were successful, the second one changed nothing, and no pod is left.')
}

function lookFurther(
  { url, temporalUiUrl, temporalNamespace, kubeconfigPath }: Places,
  runs: JobRun[],
  name: string,
): void {
  const down = name === 'dev' ? 'npm run dev -- --down' : `npm run dev -- --down --name ${name}`
  heading('To look further')
  say(`${url}/api/v2/jobs/${runs.at(-1)?.id}/   (admin; the password: see \`npm run dev -- --status\`)`)
  say(`${url}/api/v2/docs/`)
  if (temporalUiUrl) say(`${temporalUiUrl}/namespaces/${temporalNamespace}/workflows/job-${runs.at(-1)?.id}`)
  say(`KUBECONFIG=${kubeconfigPath}`)
  say(`Everything keeps running; ${down} stops it.`)
}
