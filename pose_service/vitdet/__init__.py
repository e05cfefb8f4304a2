"""ViTDet-H Cascade Mask R-CNN (Li et al. 2022; Cai and Vasconcelos 2018) in plain PyTorch.

Every module here imports torch at its top; nothing outside of this room may rely on that.
"""
