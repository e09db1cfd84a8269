/* The table of one instruction set: TERN_GRAD(avx2, AVX2) defines
 * tern_grad_avx2. grad_<isa>.c includes it last. */
#define TERN_GRAD(suffix, level)                                                                                       \
  const tern_grad tern_grad_##suffix = {.name = "grad_" #suffix,                                                       \
                                        .isa = TERN_ISA_##level,                                                       \
                                        .dense = dense,                                                                \
                                        .rmsnorm_back = rmsnorm_back,                                                  \
                                        .relu2_back = relu2_back,                                                      \
                                        .silu_back = silu_back,                                                        \
                                        .softmax = softmax,                                                            \
                                        .softmax_back = softmax_back,                                                  \
                                        .entropy = entropy,                                                            \
                                        .dequantise = dequantise,                                                      \
                                        .sum_abs = sum_abs,                                                            \
                                        .ternary = ternary,                                                            \
                                        .add_scaled = add_scaled,                                                      \
                                        .adamw = adamw}
