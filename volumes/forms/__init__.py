"""Forms. They check what was typed; the rules and the operations decide what may be done."""

from volumes.forms.node import DisableForm, NodeForm, PoolForm
from volumes.forms.people import PreferencesForm
from volumes.forms.pool import AdoptForm, ExtendThinPoolForm, ReleaseForm, ThinPoolForm
from volumes.forms.volume import CreateForm, EditForm

__all__ = [
    "AdoptForm",
    "CreateForm",
    "DisableForm",
    "EditForm",
    "ExtendThinPoolForm",
    "NodeForm",
    "PoolForm",
    "PreferencesForm",
    "ReleaseForm",
    "ThinPoolForm",
]
