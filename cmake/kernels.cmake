# One library; the file name's suffix says which instruction set a file may use.
# kernels/vec_<isa>.c and kernels/<layout>_<isa>.c get that ISA's flags.
file(GLOB kernel_sources CONFIGURE_DEPENDS kernels/*.c)
set(flags_avx2 -mavx2 -mfma -mf16c -mbmi2)
set(flags_avxvnni ${flags_avx2} -mavxvnni)
set(flags_avx512 ${flags_avx2} -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512)
set(flags_avx512vlvnni ${flags_avx512} -mavx512vnni)
set(flags_avx512vnni ${flags_avx512} -mavx512vnni)
set(flags_avx512vbmi ${flags_avx512vnni} -mavx512vbmi -mgfni)
set(flags_neon "")
set(flags_neondot -march=armv8.2-a+dotprod)
set(flags_neoni8mm -march=armv8.2-a+dotprod+i8mm)
set(foreign_x86 neon neondot neoni8mm)
set(foreign_arm avx2 avxvnni avx512 avx512vlvnni avx512vnni avx512vbmi)

foreach(source ${kernel_sources})
  get_filename_component(stem ${source} NAME_WE)
  string(REGEX MATCH "[^_]+$" isa ${stem})
  if(isa IN_LIST foreign_${TERN_ARCH})
    list(REMOVE_ITEM kernel_sources ${source})
  elseif(flags_${isa})
    set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${flags_${isa}}")
  endif()
endforeach()

# gcc's scheduler before register allocation lengthens lives until sums of the
# ARM tiles go through the stack.
if(TERN_ARCH STREQUAL arm AND CMAKE_C_COMPILER_ID STREQUAL GNU)
  set(tiled ${kernel_sources})
  list(FILTER tiled INCLUDE REGEX "/(t2|t5|q8)_neon[a-z0-9]*\\.c$")
  set_property(SOURCE ${tiled} APPEND PROPERTY COMPILE_OPTIONS -fno-schedule-insns)
endif()

add_library(tern_kernels STATIC ${kernel_sources})
target_link_libraries(tern_kernels PUBLIC m)
