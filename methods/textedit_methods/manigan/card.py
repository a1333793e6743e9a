"""The card of ManiGAN; imports no torch."""

from __future__ import annotations

from typing import Literal

from textedit_bench.info import MethodInfo
from textedit_bench.settings import MethodSettings, edit_setting


class Settings(MethodSettings):
    """Files, wording and one reading; a file that is not named is the authors' downloaded one."""

    sentence: str = edit_setting("the person has {}", "how a text becomes a caption of the training; {}: its words")
    enlarging: Literal["sizes", "factor"] = edit_setting(
        "factor", "how 17 regions become 64: by 3.8, as PyTorch since 1.6, or by the ratio of the sizes, as 1.1"
    )
    generator: str = edit_setting("", "file of the main module")
    correction: str = edit_setting("", "file of the module that corrects details")
    image_encoder: str = edit_setting("", "file of the DAMSM image encoder")
    vgg: str = edit_setting("", "file of torchvision's VGG-16")
    text_encoder: str = edit_setting("", "file of the DAMSM text encoder")
    vocabulary: str = edit_setting("", "file of the text encoder's vocabulary (captions.pickle)")


CARD = MethodInfo(
    name="manigan",
    title="ManiGAN",
    paper="ManiGAN: Text-Guided Image Manipulation",
    arxiv="1912.06203",
    editor="textedit_methods.manigan.method:ManiGAN",
    space="image",
    trains="none",
    strength_meaning="the published edit of the photo itself; other strengths mix the two pixel by pixel (ours)",
    own_inversion=True,
    in_loop={
        "features": "an Inception v3 of ImageNet (DAMSM)",
        "perceptual": "a VGG-16 of ImageNet; not the AlexNet of the LPIPS here",
    },
    weights_licence="code without a licence; weights for non-commercial research and education, as CelebAMask-HQ",
    caveat={
        "full": "Edits pixels of the photo, which is its strength 0: reduced to 256 pixels and enlarged again. Trained "
        "on CelebA-HQ by the authors of TediGAN; words that its vocabulary lacks do not reach it. Its training goes "
        "through an Inception v3 (DAMSM) and a VGG-16: FID is in its loop."
    },
    released={
        "full": {
            "ffhq": (
                *("manigan-ffhq", "manigan-ffhq-correction", "manigan-ffhq-image-encoder", "vgg16"),
                *("mmceleba-text-encoder", "mmceleba-vocabulary"),
            )
        }
    },
    model=Settings,
    miniature="textedit_methods.manigan.miniature:write",
)
