"""All tables in one import, for migrations and the doctor."""

from zhtj.cases import models as cases
from zhtj.graduation import models as graduation
from zhtj.imports import models as imports
from zhtj.kernel import audit, limits, periods, settings
from zhtj.letters import batch_models as letter_batches
from zhtj.letters import models as letters
from zhtj.notices import models as notices
from zhtj.orgs import models as orgs
from zhtj.orgs import terms
from zhtj.people import models as people
from zhtj.transfers import exceptions, onward, runs, waits
from zhtj.transfers import models as transfers

__all__ = [
    "audit",
    "cases",
    "exceptions",
    "graduation",
    "imports",
    "letter_batches",
    "letters",
    "limits",
    "notices",
    "onward",
    "orgs",
    "people",
    "periods",
    "runs",
    "settings",
    "terms",
    "transfers",
    "waits",
]
