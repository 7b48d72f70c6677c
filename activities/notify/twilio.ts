import { post } from './http.ts'
import { type Sender, textOf, textsOf } from './sender.ts'

/** Sends the line as a text message to each number. `api`: where Twilio's API is. */
export function twilioSender(api = 'https://api.twilio.com'): Sender {
  return async ({ configuration, subject }, signal) => {
    const username = textOf(configuration, 'account_sid')
    let sent = 0
    for (const number of textsOf(configuration, 'to_numbers')) {
      await post(
        {
          url: `${api}/2010-04-01/Accounts/${encodeURIComponent(username)}/Messages.json`,
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          auth: { username, password: textOf(configuration, 'account_token') },
          body: new URLSearchParams({
            To: number,
            From: textOf(configuration, 'from_number'),
            Body: subject,
          }).toString(),
          complaint: 'Error sending notification twilio',
        },
        signal,
      )
      sent += 1
    }
    return sent
  }
}
