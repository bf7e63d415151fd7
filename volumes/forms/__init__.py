"""Forms. They check what was typed; the rules and the operations decide what may be done."""

from volumes.forms.losing import DeleteForm, RevertForm
from volumes.forms.node import DisableForm, NodeForm, PoolForm
from volumes.forms.people import PreferencesForm
from volumes.forms.pool import AdoptForm, ExtendThinPoolForm, ReleaseForm, ThinPoolForm
from volumes.forms.volume import CreateForm, EditForm, ExtendForm

__all__ = [
    "AdoptForm",
    "CreateForm",
    "DeleteForm",
    "DisableForm",
    "EditForm",
    "ExtendForm",
    "ExtendThinPoolForm",
    "NodeForm",
    "PoolForm",
    "PreferencesForm",
    "ReleaseForm",
    "RevertForm",
    "ThinPoolForm",
]
