"""All tables in one import, for migrations and the doctor."""

from zhtj.cases import models as cases
from zhtj.editions import models as editions
from zhtj.exports import models as exports
from zhtj.floating import models as floating
from zhtj.graduation import models as graduation
from zhtj.identity import models as identity
from zhtj.imports import models as imports
from zhtj.kernel import audit, limits, settings
from zhtj.kernel.work import periods
from zhtj.letters import models as letters
from zhtj.letters.many import models as letter_batches
from zhtj.notices import models as notices
from zhtj.orgs import models as orgs
from zhtj.people import models as people
from zhtj.rates import models as rates
from zhtj.transfers import models as transfers
from zhtj.transfers.many import models as runs

__all__ = [
    "audit",
    "cases",
    "editions",
    "exports",
    "floating",
    "graduation",
    "identity",
    "imports",
    "letter_batches",
    "letters",
    "limits",
    "notices",
    "orgs",
    "people",
    "periods",
    "rates",
    "runs",
    "settings",
    "transfers",
]
