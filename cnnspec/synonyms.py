"""What other frameworks call things, so that somebody who comes from one is told the word of this language.

The words are compared without case, `_` and `-`, and blocks also without an ending such as `2d` or `layer`.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from cnnspec.diagnostics import nearest

#: Words for fields; of several meanings the first that the block has is taken.
FIELDS: dict[tuple[str, ...], str] = {
    ("filters", "features", "classes"): "out_channels output_channels num_filters n_filters nb_filter channels_out units "
    "num_units out_features num_outputs out_dim num_output channels width planes n",
    ("classes", "features"): "num_classes n_classes nclasses",
    ("kernel", "window", "size"): "kernel_size kernel_shape filter_size ksize k pool_size window_shape window_size pool size",
    ("stride",): "strides step subsample downsample",
    ("padding",): "pad pads padding_mode border",
    ("dilation",): "dilation_rate kernel_dilation dilations atrous_rate",
    ("bias",): "use_bias with_bias center beta",
    ("act", "function"): "activation act_layer activation_fn nonlinearity nonlin act_fn type name",
    ("norm",): "normalization normalisation norm_layer normalizer_fn bn batch_norm batchnorm use_bn",
    ("groups",): "group num_groups feature_group_count cardinality",
    ("rate",): "p prob probability drop drop_prob drop_rate dropout_rate keep_prob",
    ("survival",): "survival_prob survival_probability drop_connect_rate drop_path drop_path_rate stochastic_depth",
    ("epsilon",): "eps", ("momentum",): "mom decay bn_momentum", ("scale",): "affine use_scale gamma",
    ("slope", "alpha"): "negative_slope alpha", ("ceil",): "ceil_mode ceil_rounding", ("count_padding",): "count_include_pad",
    ("multiplier",): "depth_multiplier channel_multiplier", ("depthwise",): "depth_wise dw",
    ("expand", "expansion"): "expand_ratio expansion_ratio expansion_factor expansion expand t",
    ("se",): "se_ratio squeeze_excite squeeze_excitation", ("reduction", "ratio"): "reduction_ratio r se_ratio",
    ("factor",): "scale_factor", ("method", "mode"): "interpolation mode", ("size",): "output_size target_size",
    ("layers",): "num_layers n_layers depth repeat", ("growth_rate",): "growth k", ("compression",): "theta reduction",
    ("kernel_init",): "kernel_initializer weight_init init initializer weights_init", ("bias_init",): "bias_initializer",
    ("squeeze",): "squeeze_channels s1x1 squeeze_planes", ("expand1x1",): "e1x1 expand_1x1 expand1", ("expand3x3",): "e3x3 expand_3x3 expand3",
    ("capsules",): "num_capsules n_caps n_capsules", ("dimensions",): "dim dims dim_capsule capsule_dim",
    ("iterations",): "routings num_routing routing_iterations routing_iters", ("shape",): "target_shape",
    ("from",): "inputs input bottom parents", ("id",): "name label", ("repeat",): "n times number", ("when",): "if condition enabled",
    ("expect",): "shape output_shape assert", ("mean",): "means", ("std",): "stds stdev standard_deviation",
    ("height",): "h rows", ("width",): "w cols columns", ("channels",): "c depth in_channels", ("preprocess",): "preprocessing transform transforms",
    ("layers", "body"): "nodes backbone network model architecture", ("params",): "parameters args variables vars", ("input",): "inputs image",
    ("outputs",): "output heads", ("blocks",): "block modules definitions", ("extends",): "base parent inherits", ("imports",): "include includes",
    ("where",): "table section", ("authors",): "author", ("arxiv",): "arxiv_id eprint",
}  # fmt: skip

#: Words for blocks and ops.
BLOCKS: dict[str, str] = {
    "conv": "convolution depthwise_conv depthwiseconv dwconv cbr conv_bn conv_bn_relu convnormact basicconv conv_module",
    "conv_transpose": "convtranspose deconv deconvolution transposed_conv transpose_conv",
    "separable_conv": "sepconv separableconvolution depthwise_separable depthwise_separable_conv",
    "linear": "dense fc fully_connected fullyconnected inner_product affine lin output classifier",
    "max_pool": "maxpooling pool maxpool", "avg_pool": "averagepooling average_pool avg_pooling mean_pool averagepool",
    "global_avg_pool": "gap global_average_pooling global_average_pool globalpool global_pool",
    "global_max_pool": "gmp global_max_pooling", "adaptive_avg_pool": "adaptive_average_pool",
    "batch_norm": "bn batch_normalization batchnormalisation", "layer_norm": "ln layer_normalization", "group_norm": "gn group_normalization",
    "local_response_norm": "lrn local_response_normalization local_response_normalisation response_norm",
    "dropout": "drop spatial_dropout alpha_dropout", "drop_path": "stochastic_depth drop_connect",
    "concat": "cat concatenate merge route filter_concat", "add": "sum plus element_wise_add eltwise", "multiply": "mul times product",
    "flatten": "flat", "reshape": "view permute", "pad": "zero_padding zero_pad reflection_pad", "crop": "cropping center_crop",
    "upsample": "resize upsampling interpolate nearest_upsample", "activation": "act nonlinearity relu_layer",
    "inception": "inception_module", "fire": "fire_module", "dense_transition": "transition transition_layer",
    "squeeze_excite": "se squeeze_and_excitation squeeze_excitation", "mbconv": "inverted_residual mb_conv mbconv_block",
    "basic": "basic_block resblock residual_block res_block resnet_block", "bottleneck": "bottleneck_block bottle_neck",
    "shuffle_unit": "shuffle_block shufflenet_unit", "channel_shuffle": "shuffle", "radial_basis_output": "rbf euclidean_output",
    "capsule_routing": "routing capsule_layer digit_caps class_caps caps capsule", "primary_capsules": "primary_caps",
    "capsule_decoder": "decoder reconstruction", "identity": "skip noop pass", "scale": "scaling rescale lambda_scale",
    "shortcut": "projection downsample", "residual": "skip_connection res",
}  # fmt: skip

#: Words for initialisers, activations, normalisations and other choices.
CHOICES: dict[str, str] = {
    "he_normal": "he kaiming kaiming_normal msra", "he_uniform": "kaiming_uniform", "glorot_normal": "xavier xavier_normal glorot",
    "glorot_uniform": "xavier_uniform", "lecun_normal": "lecun", "truncated_normal": "trunc_normal", "normal": "gaussian random_normal",
    "zeros": "zero", "ones": "one", "leaky_relu": "lrelu leaky", "hard_swish": "hswish", "hard_sigmoid": "hsigmoid",
    "sigmoid": "logistic", "none": "linear identity null no off false", "batch": "batchnorm batch_norm bn batch_normalization",
    "layer": "layernorm layer_norm ln", "group": "groupnorm group_norm gn", "half": "torch symmetric pytorch", "valid": "none zero no",
    "bicubic": "cubic", "bilinear": "linear", "int": "integer number", "str": "string text", "bool": "boolean", "float": "double real",
}  # fmt: skip

_ENDING = re.compile(r"(1d|2d|3d|block|layer|module|op)$")


def _simple(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "").replace(" ", "")


_FIELDS = [(_simple(word), ours) for ours, words in FIELDS.items() for word in words.split()]
_NAMES = {_simple(word): ours for table in (CHOICES, BLOCKS) for ours, words in table.items() for word in words.split()}


def meant_field(word: str, known: Collection[str]) -> str:
    """The field among `known` that `word` was meant to be, or an empty string."""
    simple = _simple(word)
    for theirs, ours in _FIELDS:
        if theirs == simple:
            found = next((name for name in ours if name in known), "")
            if found:
                return found
    return nearest(word, known)


def meant_block(word: str, known: Collection[str]) -> str:
    """The block among `known` that `word` was meant to be, or an empty string."""
    simple = _simple(word)
    same = next((name for name in known if _simple(name) == simple), "")
    short = _ENDING.sub("", simple)
    for form in (simple, short):
        if not same and _NAMES.get(form) in known:
            same = _NAMES[form]
    return same or next((name for name in known if _simple(name) == short), "") or nearest(word, known)


def meant_choice(word: str, known: Collection[str]) -> str:
    """The choice among `known` that `word` was meant to be, or an empty string."""
    simple = _simple(word)
    same = next((name for name in known if _simple(name) == simple), "")
    found = next(
        (ours for ours, words in CHOICES.items() if ours in known and simple in map(_simple, words.split())), ""
    )
    return same or found or nearest(word, known)
