import { defineConfig } from 'drizzle-kit'

/** `npm run migrations` writes the next migration from the difference between the schema and the last one. */
export default defineConfig({
  dialect: 'postgresql',
  casing: 'snake_case',
  schema: './store/schema/*.ts',
  out: './store/migrations',
})
