"""The scenes of the convolution page: settings in, a stage out. One file a scene."""
