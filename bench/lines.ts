/** How soon a line that was printed in the pod can be read through the API. */
import { setTimeout as pause } from 'node:timers/promises'
import { atMost, type Bench, info } from './bench.ts'
import { median, percentile } from './statistics.ts'

interface EventPage {
  results: { counter: number; stdout: string }[]
}

/** Follows a job's events as a client does, and compares the time stamped into each line with the time at which it arrived. */
export const lines: Bench = {
  name: 'lines',
  about: 'a line printed in the pod until it is readable through the API',
  takes: 'about 1 min',
  async run({ stand }) {
    const { client, template } = await stand()
    const templateId = await template('stamped.yml')
    const delays: number[] = []
    for (let round = 0; round < 3; round++) {
      const jobId = await client.launch(templateId)
      let counter = 0
      let finished = false
      while (!finished) {
        // Asked before the events, so that nothing stored in between is missed.
        finished = (await client.get<{ finished: string | null }>(`/jobs/${jobId}/`)).finished !== null
        const page = await client.get<EventPage>(
          `/jobs/${jobId}/job_events/?counter__gt=${counter}&order_by=counter&page_size=200`,
        )
        // The pod's clock is ours: one kernel.
        const now = Date.now()
        for (const event of page.results) {
          counter = event.counter
          const stamp = /at=(\d{13})\./.exec(event.stdout)?.[1]
          if (stamp) delays.push(now - Number(stamp))
        }
        await pause(15)
      }
      await client.finished(jobId)
    }
    return [
      atMost('lines.p95', percentile(delays, 0.95), 'ms', 500),
      info('lines.p50', median(delays), 'ms'),
      info('lines.max', Math.max(...delays), 'ms'),
      info('lines.count', delays.length, ''),
    ]
  },
}
