/** The key of a column, by its name in SQL and on the wire: `job_tags` → `jobTags`. */
export function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}
