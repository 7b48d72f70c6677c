/** Paths of the files in a project that look like playbooks, as AWX lists them: relative, sorted without regard to case. */
export async function listPlaybooks(folder: string): Promise<string[]> {
  throw new Error(folder)
}
