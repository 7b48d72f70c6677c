/** How much one job asks of the Kubernetes API, counted by the API server. */
import { setTimeout as pause } from 'node:timers/promises'
import { type AuditEvent, auditEnd, auditSince, isExec, isWrite } from './audit.ts'
import { atMost, type Bench, info } from './bench.ts'

const jobs = 10

/** Reads the API server's audit log over ten jobs; nothing is counted in our own client. */
export const writes: Bench = {
  name: 'writes',
  about: "requests of a job to the Kubernetes API, from the API server's audit log",
  takes: 'about 1 min',
  async run({ say, stand }) {
    const { auditLogPath, client, cluster, template, username } = await stand()
    if (!auditLogPath)
      throw new Error('the cluster was given, so its audit log cannot be read: let the bench start its own')
    const templateId = await template('tiny.yml')
    while ((await cluster.countPods()) > 0) await pause(100)
    const from = auditEnd(auditLogPath)
    for (let index = 0; index < jobs; index++) await client.runJob(templateId)
    while ((await cluster.countPods()) > 0) await pause(100)
    // The log is written a moment after the answer: wait until a quiet second.
    let events: AuditEvent[] = []
    for (let before = -1; events.length !== before; ) {
      before = events.length
      await pause(1000)
      events = auditSince(auditLogPath, from, username).filter(({ verb }) => verb !== 'watch')
    }
    const kinds = Map.groupBy(events, ({ verb, objectRef }) => {
      return `${verb} ${objectRef?.resource}${objectRef?.subresource ? `/${objectRef.subresource}` : ''}`
    })
    for (const [kind, { length }] of [...kinds].sort()) say(`writes: ${kind}: ${(length / jobs).toFixed(1)} a job`)
    return [
      atMost('writes.job', events.filter(isWrite).length / jobs, '', 4),
      info('writes.exec', events.filter(isExec).length / jobs, ''),
      info('writes.requests', events.length / jobs, ''),
    ]
  },
}
