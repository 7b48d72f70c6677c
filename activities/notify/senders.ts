import type { NotificationType } from '../../model/notifications/types.ts'
import { awsSnsSender } from './aws-sns.ts'
import { sendMattermost, sendRocketchat } from './chat.ts'
import { sendEmail } from './email.ts'
import { sendGrafana } from './grafana.ts'
import { sendIrc } from './irc.ts'
import { pagerdutySender } from './pagerduty.ts'
import type { Sender } from './sender.ts'
import { slackSender } from './slack.ts'
import { twilioSender } from './twilio.ts'
import { sendWebhook } from './webhook.ts'

/** What delivers each type of notification. */
export const senders: Record<NotificationType, Sender> = {
  awssns: awsSnsSender(),
  email: sendEmail,
  grafana: sendGrafana,
  irc: sendIrc,
  mattermost: sendMattermost,
  pagerduty: pagerdutySender(),
  rocketchat: sendRocketchat,
  slack: slackSender(),
  twilio: twilioSender(),
  webhook: sendWebhook,
}
