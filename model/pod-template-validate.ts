import { defaultPodTemplate, mergePodTemplate, OverrideSyntaxError, parseOverride } from './pod-template.ts'
import { type FieldCheck, type Fields, podFields } from './pod-template-fields.ts'
import { ownVolumes } from './pod-template-manifest.ts'
import type { Container, PodManifest, TemplateCheck, TemplateRemark } from './pod-template-types.ts'
import { parseQuantity } from './quantity.ts'
import { isMapping } from './variables.ts'

/** Arguments that AWX's own default template shows; they are what runs anyway. */
const runnerArgs = 'ansible-runner worker --private-data-dir=/runner'

/**
 * Checks an override before it is saved: syntax, names and types of fields, and the merged pod. Errors are what no cluster would accept or what
 * would break the job; warnings are what Mayfly overrules. `path` names the field as in `spec.containers[0].image`.
 */
export function validateOverride(text: string): TemplateCheck {
  const errors: TemplateRemark[] = []
  const warnings: TemplateRemark[] = []
  let override: PodManifest
  try {
    override = parseOverride(text)
  } catch (error) {
    if (!(error instanceof OverrideSyntaxError)) throw error
    return { ok: false, errors: [{ path: '', message: error.message }], warnings }
  }
  checkFields(override, podFields, '', errors, warnings)
  // What follows reads the fields as their types promise.
  if (errors.length === 0) {
    checkIdentity(override, errors, warnings)
    checkContainers(override, errors, warnings)
    checkMerged(mergePodTemplate(defaultPodTemplate(), override), errors)
  }
  return { ok: errors.length === 0, errors, warnings }
}

function checkFields(
  value: Record<string, unknown>,
  fields: Fields,
  path: string,
  errors: TemplateRemark[],
  warnings: TemplateRemark[],
): void {
  for (const [key, inner] of Object.entries(value)) {
    const at = path ? `${path}.${key}` : key
    const check = fields[key]
    if (check) checkField(inner, check, at, errors, warnings)
    else if (key === '$patch') continue
    else {
      const near = Object.keys(fields).find((known) => isNear(known, key))
      if (near) errors.push({ path: at, message: `Unknown field; did you mean ${near}?` })
      else warnings.push({ path: at, message: 'Unknown field; Kubernetes may ignore it.' })
    }
  }
}

const expectations: Record<string, string> = {
  string: 'a text',
  boolean: 'true or false',
  integer: 'a whole number',
  texts: 'a mapping of texts (quote numbers and true/false)',
  quantities: 'a mapping of quantities such as 500m or 1Gi',
  strings: 'a list of texts',
  mapping: 'a mapping',
  mappings: 'a list of mappings',
}

function checkField(
  value: unknown,
  check: FieldCheck,
  path: string,
  errors: TemplateRemark[],
  warnings: TemplateRemark[],
): void {
  // null keeps the default, as in AWX.
  if (value === null) return
  if (typeof check === 'string') {
    if (!fits(value, check)) errors.push({ path, message: `Must be ${expectations[check]}.` })
  } else if ('mapping' in check) {
    if (isMapping(value)) checkFields(value, check.mapping, path, errors, warnings)
    else errors.push({ path, message: 'Must be a mapping.' })
  } else if (!Array.isArray(value)) {
    errors.push({ path, message: 'Must be a list.' })
  } else {
    value.forEach((item, index) => {
      const at = `${path}[${index}]`
      if (!isMapping(item)) {
        errors.push({ path: at, message: 'Must be a mapping.' })
        return
      }
      checkFields(item, check.list, at, errors, warnings)
      for (const field of item.$patch === 'replace' ? [] : check.required) {
        if (!item[field] && item.$patch !== 'delete') errors.push({ path: `${at}.${field}`, message: 'Is required.' })
      }
    })
  }
}

function fits(value: unknown, check: string): boolean {
  switch (check) {
    case 'string':
      return typeof value === 'string'
    case 'boolean':
      return typeof value === 'boolean'
    case 'integer':
      return Number.isInteger(value)
    case 'texts':
      return isMapping(value) && Object.values(value).every((text) => text === null || typeof text === 'string')
    case 'quantities':
      return isMapping(value) && Object.values(value).every((amount) => amount === null || isQuantity(amount))
    case 'strings':
      return Array.isArray(value) && value.every((text) => typeof text === 'string')
    case 'mapping':
      return isMapping(value)
    default:
      return Array.isArray(value) && value.every(isMapping)
  }
}

function isQuantity(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && Number.isFinite(parseQuantity(value)))
}

const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/

function checkIdentity(
  { apiVersion, kind, metadata, spec }: PodManifest,
  errors: TemplateRemark[],
  warnings: TemplateRemark[],
) {
  if (apiVersion && apiVersion !== 'v1') errors.push({ path: 'apiVersion', message: 'Must be v1.' })
  if (kind && kind !== 'Pod') errors.push({ path: 'kind', message: 'Must be Pod.' })
  if (metadata?.namespace && !dnsLabel.test(metadata.namespace)) {
    errors.push({ path: 'metadata.namespace', message: 'Must be a namespace name: a-z, 0-9 and "-".' })
  }
  for (const field of ['name', 'generateName']) {
    if (metadata?.[field])
      warnings.push({ path: `metadata.${field}`, message: 'Is ignored: pods are named after their jobs.' })
  }
  if (spec?.restartPolicy && spec.restartPolicy !== 'Never') {
    warnings.push({
      path: 'spec.restartPolicy',
      message: 'Is ignored: it is always Never, because no job is started twice.',
    })
  }
}

function checkContainers({ spec }: PodManifest, errors: TemplateRemark[], warnings: TemplateRemark[]): void {
  const names = new Set<string>()
  const check = (container: Container, path: string, mayBeUnnamed: boolean) => {
    const name = container.name || (mayBeUnnamed ? 'worker' : '')
    if (!name) errors.push({ path: `${path}.name`, message: 'Is required; only the first container may go without.' })
    else if (!dnsLabel.test(name)) errors.push({ path: `${path}.name`, message: 'Must consist of a-z, 0-9 and "-".' })
    else if (names.has(name))
      errors.push({ path: `${path}.name`, message: `There is another container named ${name}.` })
    names.add(name)
    return name
  }
  spec?.containers?.forEach((container, index) => {
    const path = `spec.containers[${index}]`
    if (check(container, path, index === 0) === 'worker') checkWorker(container, path, errors, warnings)
    else if (!container.image && !container.$patch) {
      errors.push({
        path: `${path}.image`,
        message: 'Is required: only the container worker gets an image from the execution environment.',
      })
    }
  })
  spec?.initContainers?.forEach((container, index) => {
    const path = `spec.initContainers[${index}]`
    if (check(container, path, false) === 'worker')
      errors.push({ path: `${path}.name`, message: 'worker is the name of the container that runs the job.' })
  })
}

function checkWorker(container: Container, path: string, errors: TemplateRemark[], warnings: TemplateRemark[]): void {
  if (container.command?.length) {
    errors.push({
      path: `${path}.command`,
      message:
        "Mayfly starts its work through args, which follow the image's ENTRYPOINT; command would replace it. Remove command, or make it the ENTRYPOINT of the image.",
    })
  }
  if (container.args?.length && container.args.join(' ') !== runnerArgs) {
    warnings.push({ path: `${path}.args`, message: 'Are replaced: Mayfly starts ansible-runner itself.' })
  }
  if (container.image) {
    warnings.push({
      path: `${path}.image`,
      message: "Is ignored: the image is that of the job's execution environment.",
    })
  }
  if (container.$patch === 'delete') errors.push({ path, message: 'The container worker cannot be removed.' })
}

function checkMerged({ spec }: PodManifest, errors: TemplateRemark[]): void {
  const own = new Set<string>(Object.values(ownVolumes).map(({ name }) => name))
  const volumes = new Set<string>()
  spec?.volumes?.forEach(({ name }, index) => {
    const path = `spec.volumes[${index}].name`
    if (own.has(name)) errors.push({ path, message: `${name} is a volume of Mayfly's own.` })
    else if (!dnsLabel.test(name)) errors.push({ path, message: 'Must consist of a-z, 0-9 and "-".' })
    volumes.add(name)
  })
  for (const [list, containers] of Object.entries({
    containers: spec?.containers,
    initContainers: spec?.initContainers,
  })) {
    containers?.forEach((container, index) => {
      const path = `spec.${list}[${index}]`
      for (const mount of container.volumeMounts ?? []) {
        if (!volumes.has(mount.name))
          errors.push({ path: `${path}.volumeMounts`, message: `There is no volume named ${mount.name}.` })
        if (/^\/mayfly(\/|$)/.test(mount.mountPath)) {
          errors.push({ path: `${path}.volumeMounts`, message: 'Paths below /mayfly are used by Mayfly itself.' })
        }
      }
      const { requests = {}, limits = {} } = container.resources ?? {}
      for (const [resource, request] of Object.entries(requests ?? {})) {
        const limit = limits?.[resource]
        if (limit === undefined || limit === null || !(parseQuantity(String(request)) > parseQuantity(String(limit))))
          continue
        const message = `The limit ${limit} is below the request ${request}${container.name === 'worker' ? ' (set resources.requests as well)' : ''}.`
        errors.push({ path: `${path}.resources.limits.${resource}`, message })
      }
    })
  }
}

/** True where one letter was left out, added, changed, swapped or written in another case. */
function isNear(known: string, written: string): boolean {
  const a = known.toLowerCase()
  const b = written.toLowerCase()
  if (a === b) return true
  if (a.length < 4 || Math.abs(a.length - b.length) > 1) return false
  let start = 0
  while (start < a.length && a[start] === b[start]) start++
  let end = 0
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end++
  const restA = a.slice(start, a.length - end)
  const restB = b.slice(start, b.length - end)
  if (restA.length <= 1 && restB.length <= 1) return true
  return restA.length === 2 && restB.length === 2 && restA[0] === restB[1] && restA[1] === restB[0]
}
