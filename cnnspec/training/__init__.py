"""Training, evaluating and predicting: `train(spec, recipe)` and what the commands of the same names call.

Nothing here is imported by `cnnspec check`; JAX is loaded by the modules that compute.
"""
