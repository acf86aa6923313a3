#include "graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void refuse(const char* path, int service) {
  fprintf(stderr, "cannot read the graph %s: service %d\n", path, service);
  exit(65);
}

// The same edges seen from the other end.
static struct edges reversed(struct edges edges, int count) {
  struct edges back = {calloc((size_t)count + 1, sizeof(int)),
                       calloc((size_t)edges.first[count] + 1, sizeof(int))};
  for (int e = 0; e < edges.first[count]; ++e) ++back.first[edges.list[e] + 1];
  for (int i = 0; i < count; ++i) back.first[i + 1] += back.first[i];
  int* next = calloc((size_t)count + 1, sizeof(int));
  for (int i = 0; i < count; ++i) {
    for (int e = edges.first[i]; e < edges.first[i + 1]; ++e) {
      const int to = edges.list[e];
      back.list[back.first[to] + next[to]++] = i;
    }
  }
  free(next);
  return back;
}

static char** split_words(char* text) {
  char** words = NULL;
  size_t count = 0;
  for (char* word = strtok(text, " \n"); word != NULL; word = strtok(NULL, " \n")) {
    words = realloc(words, (count + 2) * sizeof(char*));
    words[count++] = word;
    words[count] = NULL;
  }
  return words;
}

struct graph load_graph(const char* path) {
  FILE* file = fopen(path, "r");
  struct graph graph = {0};
  if (file == NULL || fscanf(file, "%d\n", &graph.count) != 1 || graph.count < 1) refuse(path, -1);
  graph.dependencies.first = calloc((size_t)graph.count + 1, sizeof(int));
  graph.argv = calloc((size_t)graph.count, sizeof(char**));
  int used = 0, room = 0;
  for (int i = 0; i < graph.count; ++i) {
    char* line = NULL;
    size_t size = 0;
    int k = 0, at = 0;
    if (getline(&line, &size, file) < 0 || sscanf(line, "%d%n", &k, &at) != 1) refuse(path, i);
    for (char* rest = line + at; k > 0; --k, rest += at) {
      if (used == room) {
        room = room ? room * 2 : 64;
        graph.dependencies.list = realloc(graph.dependencies.list, (size_t)room * sizeof(int));
      }
      int* target = &graph.dependencies.list[used++];
      if (sscanf(rest, "%d%n", target, &at) != 1 || *target < 0 || *target >= i) refuse(path, i);
    }
    graph.dependencies.first[i + 1] = used;
    char* command = strstr(line, " -- ");
    if (command == NULL || (graph.argv[i] = split_words(command + 4)) == NULL) refuse(path, i);
  }
  fclose(file);
  graph.dependents = reversed(graph.dependencies, graph.count);
  return graph;
}
