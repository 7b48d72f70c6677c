import { readGroupLoads, readJobCounts, readTotals } from '../../store/metrics.ts'
import { lastGroupPreflights } from '../../store/preflights.ts'
import { lastMeasure } from '../../store/reaper-passes.ts'
import type { RequestContext } from '../context.ts'
import type { Answer, Endpoint, EndpointRequest } from '../endpoint.ts'
import { NotFoundError, PermissionDeniedError } from '../errors.ts'
import { apiRoot } from '../registry.ts'
import { awxFamilies } from './awx.ts'
import { ownFamilies } from './own.ts'
import { type MetricFamily, prometheusJson, prometheusText, textFormat } from './prometheus.ts'

/** `/metrics/`: AWX's metrics and ours, for Prometheus; as JSON with `?format=json`. */
export function metricsEndpoint(): Endpoint {
  return {
    path: `${apiRoot}metrics/`,
    name: 'Metrics',
    description: 'What Prometheus collects; for superusers and system auditors.',
    tag: 'installation',
    ownFormats: true,
    handlers: { GET: show },
    options: () => ({ actions: {} }),
  }
}

async function show({ context, query }: EndpointRequest): Promise<Answer> {
  const { actor, request } = context
  if (!actor.isSuperuser && !actor.isSystemAuditor) throw new PermissionDeniedError()
  const format = query.get('format') ?? acceptedFormat(request.headers.get('accept') ?? '')
  if (!['txt', 'json', 'api'].includes(format)) throw new NotFoundError()
  // AWX has metrics of its processes beside those of the database; all of ours are of the database.
  const families = query.get('redisonly') === '1' ? [] : await measure(context)
  if (format === 'json') return { status: 200, body: prometheusJson(families) }
  return new Response(prometheusText(families), { headers: { 'Content-Type': textFormat } })
}

/** Text unless JSON alone is asked for. */
function acceptedFormat(accept: string): string {
  return accept.includes('application/json') && !/text\/plain|\*\/\*/.test(accept) ? 'json' : 'txt'
}

async function measure(context: RequestContext): Promise<MetricFamily[]> {
  const { db } = context
  const [totals, jobs, groups, tests, last] = await Promise.all([
    readTotals(db),
    readJobCounts(db),
    readGroupLoads(db),
    lastGroupPreflights(db),
    lastMeasure(db),
  ])
  const unreachable = last?.report.clusters.filter(({ error }) => error !== '').length ?? 0
  const debt = last ? { groups: last.report.debt, measured: last.measured, unreachable } : null
  return [...awxFamilies(context, totals, jobs), ...ownFamilies({ totals, jobs, groups, debt, tests })]
}
