/* The table of one instruction set: TERN_VEC(avx2, AVX2) defines tern_vec_avx2.
 * vec_<isa>.c includes it last. */
#define TERN_VEC(suffix, level)                                                                                        \
  const tern_vec tern_vec_##suffix = {                                                                                 \
      .name = "vec_" #suffix,                                                                                          \
      .isa = TERN_ISA_##level,                                                                                         \
      .dot = dot,                                                                                                      \
      .sum_squares = sum_squares,                                                                                      \
      .rmsnorm = rmsnorm,                                                                                              \
      .quantise = quantise,                                                                                            \
      .add = add,                                                                                                      \
      .scale = scale,                                                                                                  \
      .relu2_mul = relu2_mul,                                                                                          \
      .silu_mul = silu_mul,                                                                                            \
      .gelu_mul = gelu_mul,                                                                                            \
      .exp_less = exp_less,                                                                                            \
      .rope = rope,                                                                                                    \
      .kv_store = kv_store,                                                                                            \
      .attend = attend,                                                                                                \
      .f16_to_f32 = f16_to_f32,                                                                                        \
      .f32_to_f16 = f32_to_f16,                                                                                        \
      .bf16_to_f32 = bf16_to_f32,                                                                                      \
      .f32_to_bf16 = f32_to_bf16,                                                                                      \
  }
