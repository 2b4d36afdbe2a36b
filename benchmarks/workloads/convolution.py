"""A convolution as a sum of shifted slices, then a rectifier: views of one array, used many times."""

from __future__ import annotations

import numpy as np

from benchmarks.workloads.workload import LARGE, Size, Workload, rng


def convolve(image, kernel):
    """Where the kernel lies within the image."""
    rows, columns = kernel.shape
    height, width = image.shape[0] - rows + 1, image.shape[1] - columns + 1
    out = np.zeros((height, width))
    for i in range(rows):
        for j in range(columns):
            out += kernel[i, j] * image[i : i + height, j : j + width]
    return out


def loss(image, kernel):
    out = np.maximum(convolve(image, kernel), 0.0)
    return np.mean(out * out)


def loss_gradient(image, kernel):
    out = np.maximum(convolve(image, kernel), 0.0)
    height, width = out.shape
    out *= 2 / out.size  # its own cotangent: zero where the rectifier is
    image_bar, kernel_bar = np.zeros_like(image), np.empty_like(kernel)
    for i in range(kernel.shape[0]):
        for j in range(kernel.shape[1]):
            kernel_bar[i, j] = np.einsum("ij,ij", out, image[i : i + height, j : j + width])
            image_bar[i : i + height, j : j + width] += kernel[i, j] * out
    return image_bar, kernel_bar


def arguments(n, k):
    draw = rng().standard_normal
    return (draw((n, n)), draw((k, k))), {}


GAP = (
    "Each term's cotangent is a product and a sum in two passes, where by hand einsum does one; `maximum` "
    "asks again what lost; parts of the image are saved as views. It would take contracting a product "
    "with the sum that follows it."
)

WORKLOAD = Workload(
    "convolution",
    loss,
    loss_gradient,
    (
        Size("16x16,3x3", lambda: arguments(16, 3)),
        Size("512x512,5x5", lambda: arguments(512, 5), target=LARGE),
    ),
    gap=GAP,
)
