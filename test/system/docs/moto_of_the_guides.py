"""moto as the guides meet it: ACM exports, Transfer Family tells of servers and users."""

import moto_with_export  # noqa: F401
import moto_with_lists  # noqa: F401
from serve_moto import serve

serve()
