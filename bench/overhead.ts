/** What a job costs beyond the pod that runs its playbook. */
import { atMost, type Bench, info, type Measurement } from './bench.ts'
import { longPlaybook, rawCommand, tinyPlaybook } from './playbooks.ts'
import { podResources, type Stand } from './stand.ts'
import { median, medianDifference, medianRatio, type Pair, paired } from './statistics.ts'

async function measure(stand: Stand, file: 'tiny.yml' | 'long.yml', playbook: string, count: number): Promise<Pair[]> {
  const { client, cluster, image, template } = stand
  const templateId = await template(file)
  let pods = 0
  const ours = async (): Promise<number> => {
    const begin = performance.now()
    await client.runJob(templateId)
    return performance.now() - begin
  }
  const raw = (): Promise<number> =>
    cluster.runPod(`raw-${file[0]}-${++pods}`, image, rawCommand(playbook), podResources)
  return paired(count, ours, raw)
}

const sides = (name: string, pairs: Pair[]): Measurement[] => [
  info(`overhead.${name}.ours`, median(pairs.map(({ ours }) => ours)) / 1000, 's'),
  info(`overhead.${name}.raw`, median(pairs.map(({ raw }) => raw)) / 1000, 's'),
]

/** POST until the status is final and all output stored, against create until Succeeded of a pod that runs `ansible-playbook`. */
export const overhead: Bench = {
  name: 'overhead',
  about: 'a whole job against a raw pod that runs the same playbook, paired',
  takes: 'about 4 min',
  async run({ say, stand }) {
    const running = await stand()
    say('overhead: 10 pairs of a tiny playbook')
    const tiny = await measure(running, 'tiny.yml', tinyPlaybook, 10)
    say('overhead: 4 pairs of a playbook of 12 s')
    const long = await measure(running, 'long.yml', longPlaybook, 4)
    return [
      atMost('overhead.tiny', medianDifference(tiny) / 1000, 's', 0.7),
      ...sides('tiny', tiny),
      atMost('overhead.long', medianRatio(long), '×', 1.1),
      ...sides('long', long),
    ]
  },
}
