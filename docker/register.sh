#!/bin/sh
# Register the demo's API and its browser app once, and leave what the app must know where it can read it.
set -eu
file=/clients/notes_web.env
[ -e "$file" ] && exit 0
umask 077

watchword resources add --audience http://127.0.0.1:9002 --scope notes:read --scope notes:write
client=$(watchword clients add --name Notes --first-party \
  --redirect-uri http://127.0.0.1:9001/auth/callback --post-logout-redirect-uri http://127.0.0.1:9001/ \
  --scope openid --scope profile --scope email --scope phone --scope offline_access \
  --scope notes:read --scope notes:write --json)

printf '%s' "$client" | python -c '
import json, secrets, sys

client = json.load(sys.stdin)
print("CLIENT_ID=" + client["client_id"])
print("CLIENT_SECRET=" + client["client_secret"])
print("COOKIE_KEY=" + secrets.token_urlsafe(48))
' >"$file.new"
mv "$file.new" "$file"
