#!/usr/bin/env bash
# The system that the image's tests install into.
set -euo pipefail
exec bash "$(dirname "${BASH_SOURCE[0]}")/../image/setup.sh" root
