"""The card of AttnGAN, ControlGAN and DM-GAN; imports no torch."""

from __future__ import annotations

from dataclasses import replace

from textedit_bench.info import MethodInfo
from textedit_bench.settings import MethodSettings, edit_setting


class Settings(MethodSettings):
    """Files and wording; a file that is not named is the authors' downloaded one."""

    sentence: str = edit_setting("the person has {}", "how a text becomes a caption of the training; {}: its words")
    generator: str = edit_setting("", "file of the generator")
    text_encoder: str = edit_setting("", "file of the DAMSM text encoder")
    vocabulary: str = edit_setting("", "file of the text encoder's vocabulary (captions.pickle)")


_FACES = (
    "Trained on CelebA-HQ by the authors of TediGAN (other crop and people than the reference photos of FFHQ); "
    "pictures of 256 pixels, enlarged; words that its vocabulary lacks do not reach it. Its training goes through an "
    "Inception v3 (DAMSM): FID is in its loop"
)
_MM_CELEBA = ("mmceleba-text-encoder", "mmceleba-vocabulary")
_INCEPTION = {"features": "an Inception v3 of ImageNet (DAMSM)"}

ATTNGAN = MethodInfo(
    name="attngan",
    title="AttnGAN",
    paper="AttnGAN: Fine-Grained Text to Image Generation with Attentional Generative Adversarial Networks",
    arxiv="1711.10485",
    editor="textedit_methods.stacked_gans.method:AttnGAN",
    space="image",
    trains="none",
    tasks=("generate",),
    in_loop=_INCEPTION,
    weights_licence="code MIT; weights for non-commercial research and education, as CelebAMask-HQ",
    caveat={"full": f"{_FACES}."},
    released={"full": {"ffhq": ("attngan-ffhq", *_MM_CELEBA)}},
    model=Settings,
    miniature="textedit_methods.stacked_gans.miniature:write_attngan",
)

CONTROLGAN = replace(
    ATTNGAN,
    name="controlgan",
    title="ControlGAN",
    paper="Controllable Text-to-Image Generation",
    arxiv="1909.07083",
    editor="textedit_methods.stacked_gans.method:ControlGAN",
    in_loop={**_INCEPTION, "perceptual": "a VGG-16 of ImageNet; not the AlexNet of the LPIPS here"},
    weights_licence="code without a licence; weights for non-commercial research and education, as CelebAMask-HQ",
    caveat={"full": f"{_FACES}, and through a VGG-16."},
    released={"full": {"ffhq": ("controlgan-ffhq", *_MM_CELEBA)}},
    miniature="textedit_methods.stacked_gans.miniature:write_controlgan",
)

DMGAN = replace(
    ATTNGAN,
    name="dmgan",
    title="DM-GAN",
    paper="DM-GAN: Dynamic Memory Generative Adversarial Networks for Text-to-Image Synthesis",
    arxiv="1904.01310",
    editor="textedit_methods.stacked_gans.method:DynamicMemoryGAN",
    released={"full": {"ffhq": ("dmgan-ffhq", *_MM_CELEBA)}},
    miniature="textedit_methods.stacked_gans.miniature:write_dmgan",
)
