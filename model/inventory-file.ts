/** Whether a file of a project could be an inventory by its name: INI and YAML files, and what has no extension. Playbooks are told apart by their text. */
export function isInventoryName(name: string): boolean {
  return /^[^.]+(\.(ya?ml|ini))?$/i.test(name)
}
