import { bodyDocument } from '../../model/notifications/compose.ts'
import { isMapping } from '../../model/variables.ts'
import { post } from './http.ts'
import { DeliveryError, type Sender, textOf } from './sender.ts'

/** Makes an annotation from the job's start to its end. */
export const sendGrafana: Sender = async ({ configuration, subject, body }, signal) => {
  const { dashboardId, panelId, annotation_tags: tags, isRegion } = configuration
  const annotation = {
    ...span(bodyDocument(body, 'nothing')),
    isRegion: isRegion ?? true,
    ...(dashboardId === undefined || dashboardId === null ? {} : { dashboardId: Number(dashboardId) }),
    ...(panelId === undefined || panelId === null ? {} : { panelId: Number(panelId) }),
    ...(Array.isArray(tags) && tags.length > 0 ? { tags } : {}),
    text: subject,
  }
  await post(
    {
      url: `${textOf(configuration, 'grafana_url').replace(/\/+$/, '')}/api/annotations`,
      headers: { authorization: `Bearer ${textOf(configuration, 'grafana_key')}` },
      body: JSON.stringify(annotation),
      verify: configuration.grafana_no_verify_ssl !== true,
      complaint: 'Error sending notification grafana',
    },
    signal,
  )
  return 1
}

/** `time` and `timeEnd` in milliseconds, where the message's document says when the job started. */
function span(document: unknown): { time?: number; timeEnd?: number } {
  if (!isMapping(document) || typeof document.started !== 'string') return {}
  const time = Date.parse(document.started)
  const timeEnd = typeof document.finished === 'string' ? Date.parse(document.finished) : time
  if (Number.isNaN(time) || Number.isNaN(timeEnd))
    throw new DeliveryError(
      `Error converting time ${document.started} and/or timeEnd ${String(document.finished)} to int.`,
      true,
    )
  return { time, timeEnd }
}
