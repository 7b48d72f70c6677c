/**
 * Loaded into Mayfly before everything else (`node --import`): its pools of database connections are wide enough for a job that is held in the
 * store at every point at once. A pool of the default ten would hold some of them before they come to their points.
 */
import pg from 'pg'

class WidePool extends pg.Pool {
  constructor(options: pg.PoolConfig) {
    super({ ...options, max: 40 })
  }
}

Object.assign(pg, { Pool: WidePool })
