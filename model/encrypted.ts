/** What a stored secret reads as on the wire, and what on write keeps the stored one. */
export const encrypted = '$encrypted$'
