#!/bin/sh
# Creates Temporal's two databases and brings their schemas to the version of temporal-sql-tool. The tool holds the schema files
# itself. Each step leaves alone what is already there: an existing database, a version above 0.0, updates that were applied.
# Reads SQL_PLUGIN, SQL_HOST, SQL_PORT, SQL_USER and SQL_PASSWORD from the environment, as the tool does.
set -eu

prepare() {
  database=$1 schema=$2
  echo "schema: $database"
  temporal-sql-tool --database "$database" create-database
  temporal-sql-tool --database "$database" setup-schema --version 0.0
  temporal-sql-tool --database "$database" update-schema --schema-name "$schema"
}

prepare temporal postgresql/v12/temporal
prepare temporal_visibility postgresql/v12/visibility
echo "schema: done"
