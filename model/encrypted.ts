/** What a stored secret reads as on the wire, and what on write keeps the stored one (awx.md §4.3). */
export const encrypted = '$encrypted$'
