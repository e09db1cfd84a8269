/* The arithmetic of a word problem: parts that follow each other, each with its
 * numbers and the steps of the worked answer. */
#ifndef TERN_MINI_PROBLEM_H
#define TERN_MINI_PROBLEM_H

#include "engine/train/mini/draw.h"

enum { MINI_STEPS = 4, MINI_PARTS = 5, MINI_LARGEST = 200 };

typedef struct mini_step {
  int a, b, result;
  char op; /* + - * / */
} mini_step;

typedef struct mini_part {
  int form; /* index of mini_forms */
  int n, k; /* 0: the part has none */
} mini_part;

typedef struct mini_problem {
  mini_part part[MINI_PARTS]; /* a start, events, a question */
  int parts, steps;
  mini_step step[MINI_STEPS];
  int value; /* what the person told of has now */
  int first; /* had at first */
  int other; /* what the person told of before has */
} mini_problem;

typedef enum mini_place { MINI_START, MINI_EVENT, MINI_SHIFT, MINI_QUESTION } mini_place;

typedef struct mini_form {
  const char *name;
  mini_place place; /* MINI_SHIFT: an event after which another person is told of */
  int steps;
  bool (*draw)(mini_problem *p, mini_part *part, mini_draw *d); /* false: no numbers fit */
} mini_form;
extern const mini_form mini_forms[];

/* Draws which parts follow each other: `steps` steps in all. */
void mini_problem_compose(mini_problem *p, int steps, mini_draw *d);
/* Draws numbers for the parts; false when none were found. */
bool mini_problem_count(mini_problem *p, mini_draw *d);

/* least .. most, half of all at most 12, a third at most 30; 0 when the range is
 * empty. A model of this size learns sums of such numbers from some hundred
 * thousand examples, of all up to 200 only from many more. */
int mini_number(mini_draw *d, int least, int most);

/* A step: false when it leaves 1 .. MINI_LARGEST or does not divide. */
bool mini_step_take(mini_step *s, int a, char op, int b);

#endif
