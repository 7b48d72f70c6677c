import { post } from './http.ts'
import { type Outgoing, type Sender, textOf } from './sender.ts'

/** Posts the line to an incoming web hook of Mattermost. */
export const sendMattermost: Sender = async ({ configuration, subject }, signal) => {
  const said = optional(configuration, {
    icon_url: 'mattermost_icon_url',
    channel: 'mattermost_channel',
    username: 'mattermost_username',
  })
  await post(
    {
      url: textOf(configuration, 'mattermost_url'),
      body: JSON.stringify({ ...said, text: subject }),
      verify: configuration.mattermost_no_verify_ssl !== true,
      complaint: 'Error sending notification mattermost',
    },
    signal,
  )
  return 1
}

/** Posts the line to an incoming web hook of Rocket.Chat. */
export const sendRocketchat: Sender = async ({ configuration, subject }, signal) => {
  const said = optional(configuration, { icon_url: 'rocketchat_icon_url', username: 'rocketchat_username' })
  await post(
    {
      url: textOf(configuration, 'rocketchat_url'),
      body: JSON.stringify({ text: subject, ...said }),
      verify: configuration.rocketchat_no_verify_ssl !== true,
      complaint: 'Error sending notification rocket.chat',
    },
    signal,
  )
  return 1
}

/** What the configuration says of the target's optional keys. */
function optional(configuration: Outgoing['configuration'], fields: Record<string, string>): Record<string, string> {
  const given = Object.entries(fields).filter(([, field]) => (configuration[field] ?? null) !== null)
  return Object.fromEntries(given.map(([key, field]) => [key, textOf(configuration, field).trim()]))
}
