#!/usr/bin/env bash
# Tells the Auto Scaling group when the server has not been well for six looks in a row: longer than a scanner takes to read its signatures again.
# usage: HEALTH_URL=… GROUP_REGION=… health.sh     keeps count in $RUNTIME_DIRECTORY
set -euo pipefail
count=$RUNTIME_DIRECTORY/failed
case $(curl -s -o /dev/null -w '%{http_code}' --max-time 5 "$HEALTH_URL" || true) in
  200) rm -f "$count"; exit 0 ;;
  503) if curl -s --max-time 5 "$HEALTH_URL" | grep -q '"status":"draining"'; then exit 0; fi ;; # it goes by itself
esac
failed=$(($(cat "$count" 2> /dev/null || echo 0) + 1))
echo $failed > "$count"
echo "the server is not well ($failed)"
[ $failed -ge 6 ] || exit 0
metadata=${AWS_EC2_METADATA_SERVICE_ENDPOINT:-http://169.254.169.254}
token=$(curl -sf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$metadata/latest/api/token")
instance=$(curl -sf -H "X-aws-ec2-metadata-token: $token" "$metadata/latest/meta-data/instance-id")
aws autoscaling set-instance-health --region "$GROUP_REGION" --instance-id "$instance" --health-status Unhealthy
