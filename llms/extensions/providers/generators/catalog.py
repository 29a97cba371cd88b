"""Every generator that comes with this extension, and which of them a vendor has without being told."""

from types import MappingProxyType

from .chutes_images import ChutesImages
from .fireworks_images import FireworksImages
from .gemini_images import GeminiImages, ImagenImages
from .gemini_speech import GeminiSpeech
from .nvidia_images import NvidiaImages
from .openai_images import OpenAiImages, XaiImages
from .openai_speech import MistralSpeech, OpenAiSpeech, OpenRouterSpeech
from .openrouter_audio import OpenRouterAudio
from .openrouter_images import OpenRouterImages
from .transcription import CohereTranscriptions, GroqTranscriptions, MistralTranscriptions, OpenAiTranscriptions
from .zai_images import ZaiImages

GENERATORS = (
    *(
        OpenAiImages,
        XaiImages,
        OpenRouterImages,
        GeminiImages,
        ImagenImages,
        ChutesImages,
        NvidiaImages,
        ZaiImages,
        FireworksImages,
    ),
    *(OpenAiSpeech, OpenRouterSpeech, MistralSpeech, GeminiSpeech, OpenRouterAudio),
    *(OpenAiTranscriptions, GroqTranscriptions, MistralTranscriptions, CohereTranscriptions),
)

# By modality, as in an entry's `modalities`, which says otherwise where it says something.
OPENAI = MappingProxyType({"image": OpenAiImages, "audio": OpenAiSpeech, "transcription": OpenAiTranscriptions})
OPENROUTER = MappingProxyType({"image": OpenRouterImages, "audio": OpenRouterAudio, "speech": OpenRouterSpeech})
XAI = MappingProxyType({"image": XaiImages})
GROQ = MappingProxyType({"transcription": GroqTranscriptions})
MISTRAL = MappingProxyType({"audio": MistralSpeech, "transcription": MistralTranscriptions})
COHERE = MappingProxyType({"transcription": CohereTranscriptions})
GOOGLE = MappingProxyType({"image": ImagenImages})  # everything else Gemini's own dialect can say
CHUTES = MappingProxyType({"image": ChutesImages})
NVIDIA = MappingProxyType({"image": NvidiaImages})
ZAI = MappingProxyType({"image": ZaiImages})
FIREWORKS = MappingProxyType({"image": FireworksImages})
