import type { Variables } from '../../model/variables.ts'
import { answerContext, isSealed, type Keyring, open, seal } from '../secrets.ts'

/**
 * Seals what a node or schedule answers to password questions of a template (`passwords`: their variables), for `extraData`. Values that are
 * sealed already, kept from before, stay.
 */
export function sealAnswers(
  keyring: Keyring,
  templateId: number,
  passwords: readonly string[],
  answers: Variables,
): Variables {
  return Object.fromEntries(
    Object.entries(answers).map(([name, value]) => {
      const secret = passwords.includes(name) && typeof value === 'string' && !isSealed(value)
      return [name, secret ? seal(keyring, value, answerContext(templateId, name)) : value]
    }),
  )
}

/** The saved answers of a node or schedule in clear, for launching the template that it points to; hand them to nobody else. */
export function openAnswers(keyring: Keyring, templateId: number, answers: Variables): Variables {
  return Object.fromEntries(
    Object.entries(answers).map(([name, value]) => [
      name,
      isSealed(value) ? open(keyring, value, answerContext(templateId, name)) : value,
    ]),
  )
}
