import type { NotificationType } from './types.ts'

/** One field of `notification_configuration`, as AWX's OPTIONS describe it. `password`: a secret. */
export interface ConfigurationField {
  label: string
  type: 'string' | 'int' | 'bool' | 'list' | 'password' | 'object'
  default?: unknown
}

/** What a notification type wants to know. */
export interface TypeDescription {
  /** What AWX asks for, in its order; without a default it is required. */
  fields: Record<string, ConfigurationField>
  /** What AWX takes although it does not say so. */
  optional: Record<string, Pick<ConfigurationField, 'type'>>
  /** The field that says whom it goes to: `recipients` on the wire. */
  recipients: string
  /** Fields that hold an http(s) address. */
  urls: readonly string[]
}

const string = (label: string): ConfigurationField => ({ label, type: 'string' })
const secret = (label: string): ConfigurationField => ({ label, type: 'password' })
const int = (label: string): ConfigurationField => ({ label, type: 'int' })
const bool = (label: string): ConfigurationField => ({ label, type: 'bool' })
const list = (label: string): ConfigurationField => ({ label, type: 'list' })
const or = (field: ConfigurationField, byDefault: unknown): ConfigurationField => ({ ...field, default: byDefault })

/** AWX's notification types, in the order of its OPTIONS. */
export const typeDescriptions: Record<NotificationType, TypeDescription> = {
  awssns: {
    fields: {
      aws_region: or(string('AWS Region'), ''),
      aws_access_key_id: or(string('Access Key ID'), ''),
      aws_secret_access_key: or(secret('Secret Access Key'), ''),
      aws_session_token: or(secret('Session Token'), ''),
      sns_topic_arn: or(string('SNS Topic ARN'), ''),
    },
    optional: {},
    recipients: 'sns_topic_arn',
    urls: [],
  },
  email: {
    fields: {
      host: string('Host'),
      port: int('Port'),
      username: string('Username'),
      password: secret('Password'),
      use_tls: bool('Use TLS'),
      use_ssl: bool('Use SSL'),
      sender: string('Sender Email'),
      recipients: list('Recipient List'),
      timeout: or(int('Timeout'), 30),
    },
    optional: {},
    recipients: 'recipients',
    urls: [],
  },
  slack: {
    fields: { token: secret('Token'), channels: list('Destination Channels') },
    optional: { hex_color: { type: 'string' } },
    recipients: 'channels',
    urls: [],
  },
  twilio: {
    fields: {
      account_sid: string('Account SID'),
      account_token: secret('Account Token'),
      from_number: string('Source Phone Number'),
      to_numbers: list('Destination SMS Numbers'),
    },
    optional: {},
    recipients: 'to_numbers',
    urls: [],
  },
  pagerduty: {
    fields: {
      subdomain: string('Pagerduty subdomain'),
      token: secret('API Token'),
      service_key: string('API Service/Integration Key'),
      client_name: string('Client Identifier'),
    },
    optional: {},
    recipients: 'service_key',
    urls: [],
  },
  grafana: {
    fields: { grafana_url: string('Grafana URL'), grafana_key: secret('Grafana API Key') },
    optional: {
      dashboardId: { type: 'int' },
      panelId: { type: 'int' },
      annotation_tags: { type: 'list' },
      grafana_no_verify_ssl: { type: 'bool' },
      isRegion: { type: 'bool' },
    },
    recipients: 'grafana_url',
    urls: ['grafana_url'],
  },
  webhook: {
    fields: {
      url: string('Target URL'),
      http_method: or(string('HTTP Method'), 'POST'),
      disable_ssl_verification: or(bool('Verify SSL'), false),
      username: or(string('Username'), ''),
      password: or(secret('Password'), ''),
      headers: { label: 'HTTP Headers', type: 'object' },
    },
    optional: {},
    recipients: 'url',
    urls: ['url'],
  },
  mattermost: {
    fields: { mattermost_url: string('Target URL'), mattermost_no_verify_ssl: bool('Verify SSL') },
    optional: {
      mattermost_channel: { type: 'string' },
      mattermost_username: { type: 'string' },
      mattermost_icon_url: { type: 'string' },
    },
    recipients: 'mattermost_url',
    urls: ['mattermost_url'],
  },
  rocketchat: {
    fields: { rocketchat_url: string('Target URL'), rocketchat_no_verify_ssl: bool('Verify SSL') },
    optional: { rocketchat_username: { type: 'string' }, rocketchat_icon_url: { type: 'string' } },
    recipients: 'rocketchat_url',
    urls: ['rocketchat_url'],
  },
  irc: {
    fields: {
      server: string('IRC Server Address'),
      port: int('IRC Server Port'),
      nickname: string('IRC Nick'),
      password: secret('IRC Server Password'),
      use_ssl: bool('SSL Connection'),
      targets: list('Destination Channels or Users'),
    },
    optional: {},
    recipients: 'targets',
    urls: [],
  },
}

/** Names of the secret fields of a type. */
export function secretFields(type: NotificationType): string[] {
  return Object.entries(typeDescriptions[type].fields)
    .filter(([, field]) => field.type === 'password')
    .map(([name]) => name)
}

/** `recipients` on the wire: the text itself, or a list as Python shows it (`['a@example.com']`). */
export function recipientsOf(type: NotificationType, configuration: Record<string, unknown>): unknown {
  return configuration[typeDescriptions[type].recipients]
}
