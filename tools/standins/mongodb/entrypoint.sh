#!/bin/sh
# Supports what compose/mongodb.yaml uses: one user, whose password is in a file.
set -eu
exec ferretdb --handler=sqlite --sqlite-url=file:/data/db/ --state-dir=- --listen-addr=:27017 \
    --debug-addr=- --telemetry=disable --log-level=ERROR --test-enable-new-auth --setup-database=admin \
    --setup-username="$MONGO_INITDB_ROOT_USERNAME" \
    --setup-password="$(cat "$MONGO_INITDB_ROOT_PASSWORD_FILE")"
