"""The text encoder of AttnGAN and its family (DAMSM's bi-LSTM), and texts read by it with its vocabulary.

Source: AttnGAN's released code; ControlGAN, DM-GAN, DF-GAN and ManiGAN use the same class. Only evaluation is here: the
published dropout on the embeddings acts in training alone.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from textedit_bench.devices import sent
from textedit_bench.errors import CheckpointError
from textedit_bench.models.released import ReleasedTensors, StateDictAdapter, load_trained, part_of
from textedit_bench.models.storage import StoredNetwork
from textedit_bench.models.vocabulary import PADDING, Tokens, Vocabulary, read_vocabulary


class TextEncoder(StoredNetwork):
    """Embeds token ids by word and by sentence; one bidirectional layer.

    Args:
        words: size of the vocabulary, the padding included.
        width: of a word's embedding.
        hidden: of each direction; outputs are twice as wide.
    """

    def __init__(self, words: int, width: int = 300, hidden: int = 128) -> None:
        super().__init__()
        self.words, self.width, self.hidden = words, width, hidden
        self.encoder = nn.Embedding(words, width)
        self.rnn = nn.LSTM(width, hidden, batch_first=True, bidirectional=True)

    @property
    def sentence_dim(self) -> int:
        """Width of the outputs."""
        return 2 * self.hidden

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Embed texts; each is independent of the others.

        Args:
            tokens: ids [B, T], int64, `PADDING` after the end of shorter texts; on the CPU, or their lengths make the
                device wait.

        Returns:
            Words [B, 2 hidden, longest text], zero after the end of a text, and sentences [B, 2 hidden].

        Raises:
            ValueError: a text without tokens, or with padding before its end.
        """
        if tokens.ndim != 2:
            raise ValueError(f"tokens {tuple(tokens.shape)}: expected texts [B, T]")
        known = (tokens != PADDING).cpu()
        lengths = known.sum(1)
        if not lengths.all() or not torch.equal(known, torch.arange(known.shape[1]) < lengths[:, None]):
            raise ValueError("tokens: a text without any, or with padding before its end")
        embedded = self.encoder(sent(tokens, self.encoder.weight.device))
        packed, (states, _) = self.rnn(pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False))
        words, _ = pad_packed_sequence(packed, batch_first=True)
        return words.mT, torch.cat([*states], dim=1)


@dataclass(frozen=True)
class EncodedText:
    """One text as the networks read it.

    Attributes:
        words: [1, 2 hidden, T], one column per known word.
        sentence: [1, 2 hidden].
        mask: where columns are padding, bool [1, T]. A text alone has none. The released code masks a batch row by row
            of the attention instead, so that a picture depends on the other texts of its batch; these masks do not.
        dropped: words that the vocabulary lacks.
    """

    words: Tensor
    sentence: Tensor
    mask: Tensor
    dropped: tuple[str, ...]


@dataclass(frozen=True)
class TextReader:
    """A text encoder with its vocabulary."""

    encoder: TextEncoder
    vocabulary: Vocabulary

    def find(self, text: str) -> Tokens:
        """Look up a text's words."""
        return self.vocabulary.find(text)

    @torch.no_grad()
    def encode(self, text: str) -> EncodedText:
        """Embed one text.

        Raises:
            UserError: the vocabulary has none of its words.
        """
        found = self.vocabulary.tokens(text)
        tokens = torch.tensor([found.ids])
        words, sentence = self.encoder(tokens)
        return EncodedText(words, sentence, (tokens == PADDING).to(words.device), found.dropped)


def load_text_encoder(path: str | os.PathLike[str]) -> TextEncoder:
    """Load a text encoder: a released ``text_encoder*.pth``, or a file of ours.

    Raises:
        CheckpointError: the file is missing, damaged, would execute code, or has another network.
    """
    return cast("TextEncoder", load_trained(Path(path), TextEncoder, "the DAMSM text encoder", TEXT_ENCODER))


def load_text_reader(encoder: str | os.PathLike[str], vocabulary: str | os.PathLike[str]) -> TextReader:
    """Load a text encoder and the vocabulary that it was trained with.

    Raises:
        CheckpointError: a file cannot be read, or the vocabulary is another encoder's.
    """
    network, words = load_text_encoder(encoder), read_vocabulary(vocabulary)
    if (rows := network.words) != len(words):
        raise CheckpointError(
            f"{vocabulary}: {len(words)} words, but {encoder} embeds {rows}; valid: the vocabulary of its training"
        )
    return TextReader(network, words)


def _build(tensors: ReleasedTensors) -> TextEncoder:
    """Build the encoder of the sizes that the tensors tell."""
    words, width = tensors.matrix("encoder.weight", "vocabulary")
    _, hidden = tensors.matrix("rnn.weight_hh_l0", "width")
    return TextEncoder(words, width, hidden)


TEXT_ENCODER = StateDictAdapter(
    trainer="the DAMSM trainer",
    own_name=part_of(r"^((?:encoder|rnn)\..*)$"),
    build=_build,
    missing="no DAMSM text encoder in it (no tensor named like encoder.weight, rnn.weight_ih_l0)",
)
