import { bodyDocument } from '../../model/notifications/compose.ts'
import { isMapping } from '../../model/variables.ts'
import { post } from './http.ts'
import { DeliveryError, type Sender, textOf } from './sender.ts'

/** Triggers an incident by PagerDuty's Events API, version 1, as AWX does. `events`: where that API is. */
export function pagerdutySender(events = 'https://events.pagerduty.com'): Sender {
  return async ({ configuration, subject, body }, signal) => {
    const complaint = 'Error sending notification pagerduty'
    const answer = await post(
      {
        url: `${events}/generic/2010-04-15/create_event.json`,
        body: JSON.stringify({
          service_key: textOf(configuration, 'service_key'),
          event_type: 'trigger',
          description: subject,
          details: bodyDocument(body, 'text'),
          client: textOf(configuration, 'client_name'),
        }),
        complaint,
      },
      signal,
    )
    const said = parsed(answer)
    if (said.status !== 'success') throw new DeliveryError(`${complaint}: ${String(said.message ?? answer)}`, true)
    return 1
  }
}

function parsed(answer: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(answer)
    return isMapping(value) ? value : {}
  } catch {
    return {}
  }
}
