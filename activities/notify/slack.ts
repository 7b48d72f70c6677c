import { isMapping } from '../../model/variables.ts'
import { post } from './http.ts'
import { DeliveryError, type Sender, textOf, textsOf } from './sender.ts'

/** Posts the line to each channel; `#channel,1401383885.000061` answers in a thread. `api`: where Slack's API is. */
export function slackSender(api = 'https://slack.com'): Sender {
  return async ({ configuration, subject }, signal) => {
    const color = colorOf(textOf(configuration, 'hex_color'))
    let sent = 0
    for (const target of textsOf(configuration, 'channels')) {
      const [channel = '', thread] = target.replace(/^#/, '').split(',')
      const answer = await post(
        {
          url: `${api}/api/chat.postMessage`,
          headers: {
            authorization: `Bearer ${textOf(configuration, 'token')}`,
            'content-type': 'application/json;charset=utf-8',
          },
          body: JSON.stringify({
            channel,
            ...(thread === undefined ? {} : { thread_ts: thread }),
            as_user: true,
            ...(color ? { attachments: [{ color, text: subject }] } : { text: subject }),
          }),
          complaint: 'Error sending notification slack',
        },
        signal,
      )
      accepted(answer, channel)
      sent += 1
    }
    return sent
  }
}

/** Slack answers 200 to what it refuses, and says why. */
function accepted(answer: string, channel: string): void {
  // An answer longer than what is looked at repeats the message, so it was taken.
  const ok = /^\s*\{\s*"ok"\s*:\s*true/.test(answer)
  if (ok) return
  let error = 'an answer that is not Slack’s'
  try {
    const said: unknown = JSON.parse(answer)
    if (isMapping(said) && said.ok === true) return
    if (isMapping(said)) error = String(said.error)
  } catch {
    // No JSON, so it is not Slack's.
  }
  throw new DeliveryError(`Slack Notification unable to send ${channel}: ${error}`, error !== 'ratelimited')
}

function colorOf(text: string): string | undefined {
  return text.startsWith('#') && (text.length === 4 || text.length === 7) ? text : undefined
}
