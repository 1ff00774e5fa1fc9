"""moto as a trial meets it: deployable, with quotas, and with ACM's export refused as it is; see the two programs that are joined here."""

import os
import sys

here = os.path.dirname(__file__)
sys.path += [os.path.join(here, "../preflight"), os.path.join(here, "../deploy")]

import moto_with_quotas  # noqa: E402, F401
import moto_deploys  # noqa: E402, F401
