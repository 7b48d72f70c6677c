/** Who asks, as far as rights go. */
export interface Subject {
  isSuperuser: boolean
  isSystemAuditor: boolean
}

/** Actions that change nothing: system auditors may do them everywhere. */
const readingActions = new Set(['read'])

/**
 * What a subject may do by what it is, whatever the object: superusers everything, system auditors read everything.
 * `undefined` means that its roles decide.
 */
export function decideBySubject(subject: Subject, action: string): boolean | undefined {
  if (subject.isSuperuser) return true
  if (subject.isSystemAuditor && readingActions.has(action)) return true
  return undefined
}
