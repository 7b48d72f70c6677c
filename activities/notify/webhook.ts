import { bodyDocument } from '../../model/notifications/compose.ts'
import { isMapping } from '../../model/variables.ts'
import { post } from './http.ts'
import { type Sender, textOf } from './sender.ts'

/** Posts the message's document to an address of the user's. A body that is no JSON becomes an empty document, as in AWX. */
export const sendWebhook: Sender = async ({ configuration, body }, signal) => {
  const [username, password] = [textOf(configuration, 'username'), textOf(configuration, 'password')]
  const headers = isMapping(configuration.headers) ? (configuration.headers as Record<string, string>) : {}
  await post(
    {
      url: textOf(configuration, 'url'),
      method: textOf(configuration, 'http_method').toUpperCase() === 'PUT' ? 'PUT' : 'POST',
      headers,
      ...(username || password ? { auth: { username, password } } : {}),
      body: JSON.stringify(bodyDocument(body, 'nothing')),
      verify: configuration.disable_ssl_verification !== true,
      complaint: 'Error sending webhook notification',
    },
    signal,
  )
  return 1
}
