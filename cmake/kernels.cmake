# One library; the file name's suffix says which instruction set a file may use.
# kernels/vec_<isa>.c and kernels/<layout>_<isa>.c get that ISA's flags.
file(GLOB kernel_sources CONFIGURE_DEPENDS kernels/*.c)
set(flags_avx2 -mavx2 -mfma -mf16c -mbmi2)
set(flags_avx512 ${flags_avx2} -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512)
set(flags_avx512vnni ${flags_avx512} -mavx512vnni)
set(flags_avx512vbmi ${flags_avx512vnni} -mavx512vbmi -mgfni)
set(flags_neon "")
set(flags_neondot -march=armv8.2-a+dotprod)
set(foreign_x86 neon neondot)
set(foreign_arm avx2 avx512 avx512vnni avx512vbmi)

foreach(source ${kernel_sources})
  get_filename_component(stem ${source} NAME_WE)
  string(REGEX MATCH "[^_]+$" isa ${stem})
  if(isa IN_LIST foreign_${TERN_ARCH})
    list(REMOVE_ITEM kernel_sources ${source})
  elseif(flags_${isa})
    set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${flags_${isa}}")
  endif()
endforeach()

add_library(tern_kernels STATIC ${kernel_sources})
target_link_libraries(tern_kernels PUBLIC m)
