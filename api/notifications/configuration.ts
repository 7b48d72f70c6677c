import { encrypted } from '../../model/encrypted.ts'
import { checkConfiguration } from '../../model/notifications/configuration.ts'
import { secretFields } from '../../model/notifications/fields.ts'
import type { NotificationType } from '../../model/notifications/types.ts'
import { isSealed, type Keyring, notificationContext, open, reservedBeginning, seal } from '../../store/secrets.ts'
import { ValidationError } from '../errors.ts'

type Configuration = Record<string, unknown>

/**
 * Checks a configuration for its type and fills in AWX's defaults. `stored` is what the template has: `$encrypted$` keeps its secrets. Throws
 * ValidationError with AWX's texts.
 */
export function readConfiguration(
  type: NotificationType,
  given: Configuration,
  stored: Configuration | undefined,
): Configuration {
  const { configuration, errors } = checkConfiguration(type, given)
  for (const field of secretFields(type))
    if (configuration[field] === encrypted && !stored?.[field])
      errors.push(`${encrypted} is a reserved keyword, and cannot be used for ${field}.`)
  if (Object.entries(configuration).some(([field, value]) => isSealed(value) && value !== stored?.[field]))
    errors.push(reservedBeginning)
  if (JSON.stringify(configuration).includes('\\u0000')) errors.push('Null characters are not allowed.')
  if (errors.length > 0) throw new ValidationError({ __all__: errors })
  return configuration
}

/** A checked configuration as it is stored: secrets sealed for this template, `$encrypted$` replaced by what is there. */
export function sealConfiguration(
  keyring: Keyring,
  templateId: number,
  type: NotificationType,
  configuration: Configuration,
  stored: Configuration,
): Configuration {
  const sealed = { ...configuration }
  for (const field of secretFields(type)) {
    const value = configuration[field]
    if (value === encrypted) sealed[field] = stored[field]
    else if (typeof value === 'string' && value !== '' && !isSealed(value))
      sealed[field] = seal(keyring, value, notificationContext(templateId, field))
  }
  return sealed
}

/** A configuration sealed anew for a copy of its template. */
export function resealConfiguration(
  keyring: Keyring,
  from: number,
  to: number,
  configuration: Configuration,
): Configuration {
  return Object.fromEntries(
    Object.entries(configuration).map(([field, value]) => [
      field,
      isSealed(value)
        ? seal(keyring, open(keyring, value, notificationContext(from, field)), notificationContext(to, field))
        : value,
    ]),
  )
}

/** A configuration as it is shown: no secret, not even a sealed one. */
export function maskConfiguration(configuration: Configuration): Configuration {
  return Object.fromEntries(
    Object.entries(configuration).map(([field, value]) => [field, isSealed(value) ? encrypted : value]),
  )
}
