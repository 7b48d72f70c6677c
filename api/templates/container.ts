import { readContainerSpec } from '../../model/container.ts'
import { ValidationError } from '../errors.ts'
import type { JsonField } from '../field.ts'

/** The field of container jobs, which AWX lacks: on a template what to run instead of a playbook, on a job what it runs. */
export const containerField: JsonField = {
  kind: 'json',
  holds: 'any',
  nullable: true,
  unsearchable: true,
  help: 'A command to run in the image of the execution environment instead of a playbook: {"command": ["make", "test"], "env": {}, "files": {}, "artifacts": [], "working_directory": ""}.',
}

/** What is stored of a template's `container`: null, or a whole spec. */
export function checkContainer(value: unknown): unknown {
  if (value === null || value === undefined || value === '') return null
  const read = readContainerSpec(value)
  if (!read.ok) throw ValidationError.on('container', read.message)
  return read.spec
}

/** Playbook jobs look as AWX's do. */
export function withoutNoContainer(wire: Record<string, unknown>): Record<string, unknown> {
  const { container, ...rest } = wire
  return container === null ? rest : wire
}
