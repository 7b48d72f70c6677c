/** Shows the password that the first start made for `admin`: this once, on the terminal, never in a log. */
export function showGeneratedPassword(password: string | undefined): void {
  if (password !== undefined) console.log(`Password of admin, shown this once: ${password}`)
}
