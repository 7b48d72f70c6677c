import { isMapping } from '../../model/variables.ts'

/** Where the entries of a requirements file come from, as far as that is on this machine. */
export interface LocalPlaces {
  /** Within the project, such as `./collections/own`: what is there differs from revision to revision. */
  within: string[]
  /** Anywhere else on this machine. */
  outside: string[]
}

/** Keys of an entry that name a place; a role's `include` names another requirements file. */
const placeKeys = ['src', 'name', 'source', 'include', 'url']

/** Reads the places out of a parsed requirements file of either form. What is neither URL nor path is the name of something on a server. */
export function localPlaces(content: unknown): LocalPlaces {
  const places = entriesOf(content).flatMap(placesOf)
  const outside = places.filter(leadsOutside)
  return { outside, within: places.filter((place) => place.startsWith('./') && !outside.includes(place)) }
}

function entriesOf(content: unknown): unknown[] {
  if (Array.isArray(content)) return content
  if (!isMapping(content)) return []
  return [content.roles, content.collections].flatMap((list) => (Array.isArray(list) ? list : []))
}

function placesOf(entry: unknown): string[] {
  const texts = isMapping(entry) ? placeKeys.map((key) => entry[key]) : [entry]
  const places = texts.filter((text) => typeof text === 'string').map((text) => text.trim())
  const isFolder = isMapping(entry) && ['dir', 'subdirs', 'file'].includes(String(entry.type))
  // With such a type a bare name is a path as well.
  return isFolder ? places.map((place) => (/^([./~]|[a-z+]+:)/i.test(place) ? place : `./${place}`)) : places
}

function leadsOutside(place: string): boolean {
  // Roles may be written `scm+url,version,name`.
  if (/^([a-z]+\+)?file:/i.test(place) || /^([a-z]+\+)?[/~]/.test(place)) return true
  return !place.includes('://') && place.split(/[/,]/).includes('..')
}
