"""Every provider class of this extension."""

from llms.api import vendor_classes

from .azure import AzureProvider
from .local_servers import LlamaCppProvider, LlmsProvider, VllmProvider
from .vendors import VENDORS, CompatibleProvider

CLASSES = (
    CompatibleProvider,
    *vendor_classes(*VENDORS),
    AzureProvider,
    VllmProvider,
    LlamaCppProvider,
    LlmsProvider,
)
